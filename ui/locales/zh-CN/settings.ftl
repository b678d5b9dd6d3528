### 设置的名称、选项和说明。

settings-title = 设置
settings-locked = 由管理员设定。
settings-section-general = 常规
settings-section-privacy = 隐私
settings-section-network = 网络

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
setting-proxy = 代理
setting-proxy-system = 跟随系统
setting-proxy-none = 不使用
setting-proxy-manual = 使用下面的代理
setting-proxy_address = 代理地址
setting-proxy_address-hint = 例如 http://proxy.example.com:8080 或 socks5://name:password@proxy.example.com:1080。密码保存在系统钥匙串中。
setting-ca_file = 其他受信任证书的文件
setting-ca_file-hint = PEM 格式，在这台电脑已信任的证书之外使用。
setting-pinned_key = 服务器的密钥
setting-pinned_key-hint = 公钥的 SHA-256，十六进制或 base64。密钥不同的服务器会被拒绝。
setting-client_certificate = 你的客户端证书文件
setting-client_certificate-hint = PEM 格式，包含证书和私钥，供要求客户端证书的服务器使用。
