### The settings' names, choices and hints.

settings-title = Settings
settings-locked = Set by your administrator.
settings-section-general = General
settings-section-privacy = Privacy

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
