### 设置的名称、选项和说明。

settings-title = 设置
settings-locked = 由管理员设定。
settings-section-general = 常规
settings-section-appearance = 外观
settings-section-conversations = 会话
settings-section-connection = 连接

setting-language = 语言
setting-language-system = 跟随系统
setting-language-en = English
setting-language-zh-CN = 简体中文
setting-appearance = 颜色
setting-appearance-system = 跟随系统
setting-appearance-light = 浅色
setting-appearance-dark = 深色
setting-conversations_in = 会话打开方式
setting-conversations_in-windows = 独立窗口
setting-conversations_in-docked = 主窗口内
