### 设置的名称、选项和说明。

settings-title = 设置
settings-locked = 由管理员设定。
settings-section-general = 常规
settings-section-privacy = 隐私

setting-language = 语言
setting-language-system = 跟随系统
setting-language-en = English
setting-language-zh-CN = 简体中文
setting-appearance = 外观
setting-appearance-system = 跟随系统
setting-appearance-light = 浅色
setting-appearance-dark = 深色
setting-conversations_in = 会话打开方式
setting-conversations_in-windows = 独立窗口
setting-conversations_in-docked = 主窗口内
setting-send_typing = 显示“正在输入”
setting-send_typing-hint = 输入消息时，对方能看到提示。
