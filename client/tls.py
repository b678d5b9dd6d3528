"""The link's TLS: whom it trusts, its own certificate, the pinned key; and what a refused certificate means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import truststore

from client.errors import LinkError

_TOO_OLD: Final = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "INAPPROPRIATE_FALLBACK", "DOWNGRADE", "VERSION_TOO_LOW")
_WANTS_OURS: Final = ("CERTIFICATE_REQUIRED", "ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE")
_SELF_SIGNED: Final = 18
"""X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT of OpenSSL."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is set on top of the system's own trust; an empty text is nothing."""

    ca_file: str = ""
    pinned_key: str = ""
    client_certificate: str = ""


def secure(plain: socket.socket, host: str, trust: Trust, opened: Callable[[socket.socket], None]) -> ssl.SSLSocket:
    """TLS over a connected socket. Raises OSError, and LinkError for a file that cannot be used or a wrong key.

    `opened` gets the socket before the handshake, so that another thread can end it.
    """
    link = _context(trust).wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    opened(link)
    link.do_handshake()
    if trust.pinned_key:
        certificate = link.getpeercert(binary_form=True)
        if certificate is None or not _same(key_digest(certificate), trust.pinned_key):
            link.close()
            text = f"The key of {host} is not the one pinned in the settings. Do not log in; ask your administrator."
            raise LinkError("certificate_not_pinned", text)
    return link


def speaks_tls(plain: socket.socket, host: str) -> bool:
    """Whether a server answers a TLS handshake on this socket. Trusts nobody and tells nothing; closes the socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_socket(plain, server_hostname=host).close()
    except OSError:
        return False
    finally:
        plain.close()
    return True


def key_digest(certificate: bytes) -> bytes:
    """SHA-256 of the public key (SubjectPublicKeyInfo, RFC 5280, section 4.1) of a certificate in DER.

    Raises ValueError for what is not one.
    """
    _, position, _ = _element(certificate, 0)  # Certificate
    tag, position, _ = _element(certificate, position)  # TBSCertificate
    tag, _, end = _element(certificate, position)
    if tag == 0xA0:  # the version, which may be left out
        position = end
    for _ in range(5):  # serial number, signature, issuer, validity, subject
        _, _, position = _element(certificate, position)
    _, _, end = _element(certificate, position)
    return hashlib.sha256(certificate[position:end]).digest()


def _element(data: bytes, start: int) -> tuple[int, int, int]:
    """Tag, first byte of the content and the byte after it, of one DER element (X.690, section 8.1)."""
    if len(data) < start + 2:
        raise ValueError("not DER")
    length, content = data[start + 1], start + 2
    if length & 0x80:
        more = length & 0x7F
        length = int.from_bytes(data[content : content + more], "big")
        content += more
    if content + length > len(data):
        raise ValueError("not DER")
    return data[start], content, content + length


def _same(digest: bytes, pinned: str) -> bool:
    """Whether the pinned text, in hexadecimal or in base64 (also as sha256//…), is this digest."""
    text = pinned.strip().removeprefix("sha256//")
    forms = (digest.hex(), base64.b64encode(digest).decode("ascii"))
    return any(
        hmac.compare_digest(form.encode(), given.encode())
        for form, given in zip(forms, (text.replace(":", "").lower(), text), strict=True)
    )


def _context(trust: Trust) -> truststore.SSLContext:
    """The system's own trust, company certificates included. Raises LinkError for a file that cannot be used."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    path = ""
    try:
        if path := trust.ca_file:
            context.load_verify_locations(Path(path).expanduser())
        if path := trust.client_certificate:
            # The password: never a question in a terminal that nobody sees.
            context.load_cert_chain(Path(path).expanduser(), password=lambda: "")
    except OSError as error:  # SSLError is one
        text = f"{path} cannot be used as a certificate file: {error.strerror or error}."
        raise LinkError("certificate_file_unusable", text) from error
    return context


def explain_tls(error: ssl.SSLError, host: str) -> LinkError:
    """What a failed handshake means to a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_certificate(error, host)
    reason = error.reason or ""
    if any(word in reason for word in _TOO_OLD):
        text = f"{host} offers only versions of TLS that are no longer safe. Tell your administrator."
        return LinkError("tls_too_old", text)
    if any(word in reason for word in _WANTS_OURS):
        text = f"{host} asks for a client certificate that it accepts. Choose the file in the settings."
        return LinkError("client_certificate_needed", text)
    text = f"{host} does not speak TLS here, or not as this program does. Check the address and the port."
    return LinkError("not_an_oschat_server", text)


def _explain_certificate(error: ssl.SSLCertVerificationError, host: str) -> LinkError:
    what = f"{error.verify_message} {error}".lower()
    if "expired" in what:
        text = f"The certificate of {host} has expired. Tell your administrator; check this computer's clock."
        return LinkError("certificate_expired", text)
    if "hostname" in what or "ip address" in what or "not valid for" in what:
        return LinkError("certificate_wrong_host", f"The certificate at this address does not belong to {host}.")
    if getattr(error, "verify_code", 0) == _SELF_SIGNED:
        text = f"{host} signed its certificate itself, so nobody vouches for it. Ask your administrator for that file."
        return LinkError("certificate_self_signed", text)
    text = (
        f"This computer does not trust the certificate of {host}. Ask your administrator for the company's certificate."
    )
    return LinkError("certificate_untrusted", text)
