"""The command line: serve, user, org, backup, restore.

Exit codes: 0 done, 1 it could not be done, 2 the server, or the database, cannot be used so.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import structs

from protocol.messages import Person
from server_stub import org_csv, org_json
from server_stub.accounts import hash_password, hash_passwords, new_id, password_problem
from server_stub.app import DataDirectory, serve
from server_stub.config import Config, load_config
from server_stub.directory import DirectoryBook
from server_stub.errors import AccountError, ConfigError, ImportRefused, StartError, StorageError
from server_stub.log import configure_log
from server_stub.org import Draft
from server_stub.storage.base import Storage
from server_stub.storage.copies import backup, restore
from server_stub.storage.sqlite import SqliteStorage

T = TypeVar("T")


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say. Returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        config = _config(options)
        configure_log(config.log_level if options.command == "serve" else "error")
        options.run(config, options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left when it ends
        return 1
    except (AccountError, ImportRefused) as error:
        print(error, file=sys.stderr)
        return 1
    except (ConfigError, StartError, StorageError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", metavar="FILE", help="a TOML file with settings")
    common.add_argument("--data", metavar="DIR", help="the directory for the database")
    parser = argparse.ArgumentParser("python -m server_stub", description="The Oschat reference server.")
    commands = parser.add_subparsers(dest="command", required=True)

    serving = commands.add_parser("serve", parents=[common], help="run the server")
    for field in structs.fields(Config):
        if field.name != "data":
            text = field.type.__metadata__[0].description
            serving.add_argument(f"--{field.name.replace('_', '-')}", metavar="VALUE", help=text)
    serving.set_defaults(run=_serve)

    user = commands.add_parser("user", help="manage accounts").add_subparsers(dest="action", required=True)
    adding = user.add_parser("add", parents=[common], help="add a person who may log in")
    adding.add_argument("login")
    adding.add_argument("--name", help="the name that others see; without it, the log-in name")
    _password_option(adding)
    adding.set_defaults(run=_with_storage(_user_add))
    changing = user.add_parser("passwd", parents=[common], help="set a password, and end the person's sessions")
    changing.add_argument("login")
    _password_option(changing)
    changing.set_defaults(run=_with_storage(_user_passwd))
    for action, disabled in (("disable", True), ("enable", False)):
        switching = user.add_parser(action, parents=[common], help=f"{action} an account")
        switching.add_argument("login")
        switching.set_defaults(run=_with_storage(_user_switch), disabled=disabled)
    listing = user.add_parser("list", parents=[common], help="list the accounts, as tab-separated lines")
    listing.set_defaults(run=_with_storage(_user_list))

    org = commands.add_parser("org", help="import or export the organisation").add_subparsers(
        dest="action", required=True
    )
    importing = org.add_parser("import", parents=[common], help="add or change departments and people")
    importing.add_argument("file", metavar="FILE", help="a .csv or .json file; docs/operating.md describes both")
    importing.set_defaults(run=_with_storage(_org_import))
    exporting = org.add_parser("export", parents=[common], help="write the organisation to standard output")
    exporting.add_argument("--format", choices=sorted(_FORMATS), default="csv")
    exporting.set_defaults(run=_with_storage(_org_export))

    backing_up = commands.add_parser("backup", parents=[common], help="copy the database, while the server runs or not")
    backing_up.add_argument("file", metavar="FILE", help="a new file")
    backing_up.set_defaults(run=_backup)
    restoring = commands.add_parser("restore", parents=[common], help="put a backup in the place of the database")
    restoring.add_argument("file", metavar="FILE", help="a file that backup has written")
    restoring.set_defaults(run=_restore)
    return parser


def _password_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-stdin", action="store_true", help="read the password's line from standard input")


def _config(options: argparse.Namespace) -> Config:
    flags = {
        name: value for name, value in vars(options).items() if name in Config.__struct_fields__ and value is not None
    }
    return load_config(Path(options.config) if options.config else None, os.environ, flags)


def _serve(config: Config, options: argparse.Namespace) -> None:
    _run(serve(config))


def _backup(config: Config, options: argparse.Namespace) -> None:
    backup(DataDirectory(Path(config.data)).database, Path(options.file))
    print(f"The database was copied to {options.file}.")


def _restore(config: Config, options: argparse.Namespace) -> None:
    data = DataDirectory(Path(config.data))
    data.prepare()
    data.hold()
    kept = restore(Path(options.file), data.database)
    print(f"{options.file} was restored." + (f" The database that was there is kept as {kept}." if kept else ""))


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop, which is faster, where there is one."""
    try:
        import uvloop  # noqa: PLC0415  # does not exist everywhere
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


Action = Callable[[Storage, DirectoryBook, argparse.Namespace], Coroutine[Any, Any, None]]


def _with_storage(action: Action) -> Callable[[Config, argparse.Namespace], None]:
    """A command that works on the database; a server that runs on it notices within a second."""

    async def work(config: Config, options: argparse.Namespace) -> None:
        data = DataDirectory(Path(config.data))
        data.prepare()
        storage = SqliteStorage(data.database)
        try:
            directory = DirectoryBook()
            directory.apply(await storage.directory(0))
            await action(storage, directory, options)
        finally:
            await storage.close()

    return lambda config, options: _run(work(config, options))


def _person(directory: DirectoryBook, login: str) -> Person:
    person = directory.by_login(login)
    if person is None:
        raise AccountError(f"There is no user {login!r}. `user list` shows all.")
    return person


def _ask_password(options: argparse.Namespace) -> str:
    if options.password_stdin:
        password = _read_password()
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise AccountError("The two passwords differ; nothing was changed.")
    else:
        raise AccountError("There is no terminal to ask for the password: give it with --password-stdin.")
    problem = password_problem(password)
    if problem:
        raise AccountError(f"This cannot be the password: {problem}.")
    return password


def _read_password() -> str:
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise AccountError("The password on standard input is not UTF-8.") from None


async def _user_add(storage: Storage, directory: DirectoryBook, options: argparse.Namespace) -> None:
    login = options.login.strip()
    if directory.by_login(login) is not None:
        raise AccountError(f"There is already a user {login!r}. `user passwd` changes the password.")
    try:
        person = msgspec.convert({"id": new_id(), "login": login, "name": options.name or login}, Person)
    except msgspec.ValidationError:
        raise AccountError("A log-in name and a name need 1 to 200 characters.") from None
    if any(character.isspace() or not character.isprintable() for character in login):
        raise AccountError("A log-in name has no spaces in it.")
    if not person.name.strip() or not person.name.isprintable():
        raise AccountError("A name is not blank, and has no control characters in it.")
    hashed = hash_password(_ask_password(options))
    await storage.save_directory([person], [], {person.id: hashed})
    print(person.id)


async def _user_passwd(storage: Storage, directory: DirectoryBook, options: argparse.Namespace) -> None:
    person = _person(directory, options.login)
    await storage.set_password(person.id, hash_password(_ask_password(options)))


async def _user_switch(storage: Storage, directory: DirectoryBook, options: argparse.Namespace) -> None:
    person = _person(directory, options.login)
    await storage.save_directory([structs.replace(person, disabled=options.disabled)], [], {})


async def _user_list(storage: Storage, directory: DirectoryBook, options: argparse.Namespace) -> None:
    for person in sorted(directory.people.values(), key=lambda person: person.login.casefold()):
        print(person.login, person.name, "disabled" if person.disabled else "active", person.id, sep="\t")


_FORMATS = {"csv": (org_csv.read, org_csv.export_csv), "json": (org_json.read, org_json.export_json)}


async def _org_import(storage: Storage, directory: DirectoryBook, options: argparse.Namespace) -> None:
    file = Path(options.file)
    if file.suffix[1:].lower() not in _FORMATS:
        raise ImportRefused([f"{file}: the file's name must end in .csv or .json"])
    read, _ = _FORMATS[file.suffix[1:].lower()]
    draft = Draft(directory)
    read(file.name, _read_file(file), draft)
    plan = draft.plan()
    hashes = dict(zip(plan.passwords, hash_passwords(plan.passwords.values()), strict=True))
    await storage.save_directory(plan.people, plan.departments, hashes)
    print(f"{len(plan.people)} people and {len(plan.departments)} departments imported.")


def _read_file(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ImportRefused([f"{file}: cannot be read: {error.strerror}"]) from None


async def _org_export(storage: Storage, directory: DirectoryBook, options: argparse.Namespace) -> None:
    _, export = _FORMATS[options.format]
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]  # a text stream in a real process
    sys.stdout.write(export(directory))
