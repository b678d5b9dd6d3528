### The settings' names, choices and hints.

settings-title = Settings
settings-locked = Set by your administrator.
settings-section-general = General
settings-section-privacy = Privacy
settings-section-network = Network

setting-language = Language
setting-language-system = As the system
setting-language-en = English
setting-language-zh-CN = 简体中文
setting-appearance = Appearance
setting-appearance-system = As the system
setting-appearance-light = Light
setting-appearance-dark = Dark
setting-conversations_in = Open conversations
setting-conversations_in-windows = In windows of their own
setting-conversations_in-docked = In the main window
setting-send_typing = Show that I am typing
setting-send_typing-hint = Others see it while you write to them.
setting-proxy = Proxy
setting-proxy-system = As the system
setting-proxy-none = None
setting-proxy-manual = The one below
setting-proxy_address = The proxy's address
setting-proxy_address-hint = For example http://proxy.example.com:8080, or socks5://name:password@proxy.example.com:1080. The password goes to the system's keyring.
setting-ca_file = File with further trusted certificates
setting-ca_file-hint = PEM, in addition to those that this computer trusts.
setting-pinned_key = The server's key
setting-pinned_key-hint = SHA-256 of its public key, in hexadecimal or base64. A server with another key is refused.
setting-client_certificate = File with your client certificate
setting-client_certificate-hint = PEM with the certificate and its key, for servers that ask for one.
