### The settings' names, choices and hints.

settings-title = Settings
settings-locked = Set by your administrator.
settings-section-general = General
settings-section-appearance = Appearance
settings-section-conversations = Conversations
settings-section-connection = Connection

setting-language = Language
setting-language-system = As the system
setting-language-en = English
setting-language-zh-CN = 简体中文
setting-appearance = Colours
setting-appearance-system = As the system
setting-appearance-light = Light
setting-appearance-dark = Dark
setting-conversations_in = Open conversations
setting-conversations_in-windows = In windows of their own
setting-conversations_in-docked = In the main window
