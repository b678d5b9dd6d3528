### The main window, the log-in and what all windows share.

## Log-in
login-title = Oschat
login-text = Log in to your company's server
login-server = Server
login-user = User name
login-password = Password
login-show-password = Show the password
login-remember = Stay logged in on this computer
login-remember-impossible = This computer has no key store, so the log-in lasts until you close Oschat.
login-server-locked = Set by your administrator.
login-submit = Log in
login-busy = Logging in…

## What the person should know at the log-in
notice-key-lost = The key to the messages kept on this computer is gone, so they were fetched again from the server.
notice-no-keyring = This computer has no key store that works. Messages and log-in are kept until you close Oschat, then come back from the server.
notice-store-damaged = The messages kept on this computer could not be read, so they were fetched again from the server.
notice-store-newer = The messages kept on this computer come from a newer version of Oschat. This version works without them; update it.
notice-store-failed = Messages cannot be kept on this computer now. They stay on the server.
notice-disk-full = This computer's disk is full, so messages cannot be kept here. They stay on the server. Make some room.
notice-profile-failed = Your choices cannot be kept on this computer: its folder cannot be written.
notice-other-server = Another server answers at this address now. What the earlier one sent stays on this computer, set aside.

## All windows
app-version = Oschat { $version }
app-lost = No answer from the program
app-logged-out = You are logged out
app-logged-out-text = Log in again in the main window to go on with this conversation.
action-retry = Try again
action-discard = Discard
action-dismiss = Dismiss
action-close = Close
action-back = Back to the list

## Times
time-today = Today
time-yesterday = Yesterday

## Presence
presence-online = Online
presence-away = Away
presence-busy = Busy
presence-offline = Offline
presence-invisible = Invisible
presence-invisible-hint = Others see you as offline
person-disabled = Account disabled

## Oneself
me-button = Change your status
me-menu = Your status
me-state = State
me-status-placeholder = What are you up to?
me-log-out = Log out
me-log-out-sure = Log out? Click again to confirm

## The main window
main-roster = Contacts
tab-recents = Recent
tab-organisation = Organisation
search-placeholder = Search people and departments
search-clear = Clear the search
search-results = Search results
search-found =
    { $count ->
        [one] One match
       *[other] { $count } matches
    }
search-nothing = Nobody found
search-nothing-text = Try a part of the name, the department or the position.
dock-empty = No conversation open
dock-empty-text = Choose somebody on the left to talk.
list-failed = This could not be loaded

## Recent conversations
recents-empty = No conversations yet
recents-empty-text = Find a colleague and say hello.
recents-empty-action = Open the organisation
recents-unread =
    { $count ->
        [one] one unread message
       *[other] { $count } unread messages
    }
recents-failed = a message was not sent
recents-draft = Draft:
recents-mine = You:
recents-wants-to-talk = Wants to talk to you

## The organisation
tree-empty = The directory is empty
tree-empty-text = Your administrator has not added anyone yet.
tree-counts = { $online } of { $people } online
people-self = You

## A person's card
card-title = Show contact card
card-label = Contact card: { $name }
card-position = Position
card-department = Department
card-email = E-mail
card-phone = Phone
card-login = User name
card-talk = Send a message

## The link
link-connecting = Connecting…
link-offline = No connection
link-retry-in =
    { $seconds ->
        [one] Next attempt in one second
       *[other] Next attempt in { $seconds } seconds
    }
link-reconnect = Try now
