### What went wrong and what to do, by code. A code without a text here shows the text that came with it.

## In the page
error-bridge_lost = The program behind this window does not answer. Trying again…
error-missing_server = Enter the address of your company's server.
error-missing_user = Enter your user name.
error-missing_password = Enter your password.

## The link to the server
error-bad_address = This is not a server's address. It looks like chat.example.com or chat.example.com:8080.
error-name_not_found = There is no server of this name. Check the spelling and your network.
error-connection_refused = The server does not accept connections at this address. Check the address, or ask your administrator.
error-link_failed = The connection to the server failed. Check your network, then try again.
error-timeout = The server does not answer. Check your network, then try again.
error-not_an_oschat_server = Something answers at this address, but it is not an Oschat server.
error-certificate_untrusted = The server's certificate is not trusted by this computer. Ask your administrator.
error-certificate_expired = The server's certificate has expired. Ask your administrator.
error-certificate_wrong_host = The server's certificate belongs to another address. Check the address, or ask your administrator.
error-certificate_self_signed = The server signed its certificate itself, so nobody vouches for it. Ask your administrator for the certificate file and choose it in the settings.
error-certificate_not_pinned = The server's key is not the one in your settings. Do not log in; ask your administrator.
error-certificate_file_unusable = A certificate file in your settings cannot be read. Check the settings under Network.
error-tls_too_old = The server offers only versions of TLS that are no longer safe. Ask your administrator.
error-tls_wanted = The server speaks only encrypted here. Begin the address with wss://.
error-client_certificate_needed = The server asks for a client certificate that it accepts. Choose the file in the settings under Network.
error-proxy_unreachable = The proxy does not answer. Check its address in the settings, and your network.
error-proxy_login = The proxy wants a user name and a password, or refused them. Enter them with its address in the settings.
error-proxy_refused = The proxy refuses to connect to the server. Ask your administrator.
error-proxy_no_way = The proxy does not reach the server. Check the server's address.
error-proxy_address_wrong = The address of the proxy is wrong. Check it in the settings under Network.
error-update_required = This version of Oschat does not fit the server. Install the newest version.
error-server_restarting = The server restarts. Trying again in a moment.

## Logging in
error-bad_credentials = The user name or the password is wrong.
error-account_disabled = This account is disabled. Ask your administrator.
error-session_expired = Your log-in has ended. Log in again.
error-too_many_attempts =
    { $seconds ->
        [0] Too many attempts. Wait a while, then try again.
        [one] Too many attempts. Try again in one second.
       *[other] Too many attempts. Try again in { $seconds } seconds.
    }
error-not_logged_in = Log in first.
error-login_replaced = Another log-in was begun.
error-already_logged_in = Somebody is logged in already. Log out first.

## Messages and people
error-no_such_user = There is no such person in the directory.
error-user_disabled = This person's account is disabled; the message was not sent.
error-self_conversation = You cannot open a conversation with yourself.
error-no_such_conversation = This conversation does not exist, or you are not in it.
error-empty_message = The message is empty.
error-text_too_long = The text is too long. Shorten it, or send it in parts.
error-message_id_reused = The message could not be numbered. Send it again.
error-frame_too_large = This is too much at once. Send it in parts.
error-offline = There is no connection to the server now.

## The server and this computer
error-server_busy = The server is busy. Try again in a moment.
error-storage_failed = The server cannot store anything now. Try again later.
error-internal = The server failed at this. Try again; if it stays so, tell your administrator.
error-disk_full = This computer's disk is full. Make room, then try again.
error-store_failed = The message store on this computer cannot be written.
error-store_damaged = The messages kept on this computer are damaged.
error-wrong_key = The messages kept on this computer cannot be opened without their key.
error-profile_failed = The program's folder on this computer cannot be written.
error-settings_not_saved = The setting could not be saved. Check whether the disk is full.
error-store_newer = The message store on this computer comes from a newer version of Oschat. Update this one.

## Programs that do not fit each other
error-bad_frame = The program and the server do not understand each other. Update both.
error-unknown_type = The server does not know this yet. A newer server may.
error-bad_field = The server refused this request.
error-setting_locked = This setting is set by your administrator.
error-no_such_setting = There is no such setting.
error-bad_setting = This value does not fit. Choose another.
error-link_refused = Only links to web pages and mail addresses are opened.
error-ended = The program is closing.
error-bad_call = The window asked for something that the program refuses.
error-unknown_method = The window and the program do not fit each other. Restart Oschat.
error-too_many_calls = The window asks too much at once. Wait a moment.
error-hello_required = The program and the server do not understand each other. Update both.
