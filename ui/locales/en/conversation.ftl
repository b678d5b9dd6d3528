### A conversation: what was said, and the composer.

conversation-typing = typing…
conversation-failed = This conversation could not be opened
timeline-label = Messages with { $name }
timeline-new = New messages
timeline-loading = Loading older messages…
timeline-begin = This is the beginning of your conversation.
timeline-empty = Nothing has been said yet. Say hello!
timeline-unread = New messages
timeline-to-end = To the newest messages
message-from-me = You
message-waiting = Waiting to be sent
message-sent = Sent
message-read = Read
message-failed = Not sent
message-unsupported = This kind of message needs a newer version of Oschat.

composer-placeholder = Write a message
composer-label = Message to { $name }
composer-send = Send
composer-send-hint = Send (Enter). Shift+Enter begins a new line
composer-disabled = This account is disabled, so it cannot receive messages.

emoji-title = Emoji
emoji-search = Search emoji
emoji-groups = Groups of emoji
emoji-nothing = No emoji found
emoji-failed = The emoji could not be loaded.
emoji-group-smileys = Smileys
emoji-group-people = People and gestures
emoji-group-nature = Animals and nature
emoji-group-food = Food and drink
emoji-group-travel = Travel and places
emoji-group-activities = Activities
emoji-group-objects = Objects
emoji-group-symbols = Symbols
emoji-group-flags = Flags
