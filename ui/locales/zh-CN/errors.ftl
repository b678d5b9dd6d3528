### 出错的原因和处理办法，按错误代码。没有对应文字的代码显示其自带的说明。

## 页面
error-bridge_lost = 窗口背后的程序没有响应，正在重试…
error-missing_server = 请输入公司服务器的地址。
error-missing_user = 请输入用户名。
error-missing_password = 请输入密码。

## 与服务器的连接
error-bad_address = 这不是有效的服务器地址。格式如 chat.example.com 或 chat.example.com:8080。
error-name_not_found = 找不到这个名称的服务器。请检查拼写和网络。
error-connection_refused = 服务器在这个地址上拒绝连接。请检查地址，或联系管理员。
error-link_failed = 与服务器的连接失败。请检查网络后重试。
error-timeout = 服务器没有响应。请检查网络后重试。
error-not_an_oschat_server = 这个地址有响应，但不是 Oschat 服务器。
error-certificate_untrusted = 这台电脑不信任服务器的证书。请联系管理员。
error-certificate_expired = 服务器的证书已过期。请联系管理员。
error-certificate_wrong_host = 服务器的证书属于另一个地址。请检查地址，或联系管理员。
error-certificate_self_signed = 服务器的证书是自签名的，无人担保。请向管理员索取证书文件，并在设置中选择它。
error-certificate_not_pinned = 服务器的密钥与设置中的不同。请不要登录，并联系管理员。
error-certificate_file_unusable = 设置中的证书文件无法读取。请检查设置中的“网络”。
error-tls_too_old = 服务器只提供已不安全的 TLS 版本。请联系管理员。
error-tls_wanted = 服务器在这里只接受加密连接。请让地址以 wss:// 开头。
error-client_certificate_needed = 服务器要求一个它认可的客户端证书。请在设置的“网络”中选择文件。
error-proxy_unreachable = 代理没有响应。请检查设置中的代理地址和网络。
error-proxy_login = 代理要求用户名和密码，或拒绝了它们。请在设置中随代理地址一起输入。
error-proxy_refused = 代理拒绝连接服务器。请联系管理员。
error-proxy_no_way = 代理无法连接到服务器。请检查服务器地址。
error-proxy_address_wrong = 代理地址有误。请检查设置中的“网络”。
error-update_required = 当前版本的 Oschat 与服务器不匹配，请安装最新版本。
error-server_restarting = 服务器正在重启，稍后自动重试。

## 登录
error-bad_credentials = 用户名或密码不正确。
error-account_disabled = 该账号已停用。请联系管理员。
error-session_expired = 登录已失效，请重新登录。
error-too_many_attempts =
    { $seconds ->
        [0] 尝试次数过多，请稍后再试。
       *[other] 尝试次数过多，请在 { $seconds } 秒后再试。
    }
error-not_logged_in = 请先登录。
error-login_replaced = 已开始另一次登录。
error-already_logged_in = 已有人登录，请先退出登录。

## 消息与人员
error-no_such_user = 通讯录里没有这个人。
error-user_disabled = 对方账号已停用，消息未发出。
error-self_conversation = 不能和自己聊天。
error-no_such_conversation = 会话不存在，或你不在其中。
error-empty_message = 消息是空的。
error-text_too_long = 文字太长，请缩短或分段发送。
error-message_id_reused = 消息编号出错，请重新发送。
error-frame_too_large = 内容太多，请分段发送。
error-offline = 当前没有连接到服务器。

## 服务器与本机
error-server_busy = 服务器繁忙，请稍后再试。
error-storage_failed = 服务器暂时无法保存，请稍后再试。
error-internal = 服务器处理失败。请重试；若仍失败，请告诉管理员。
error-disk_full = 这台电脑的磁盘已满。请腾出空间后重试。
error-store_failed = 本机的消息库无法写入。
error-store_damaged = 本机保存的消息已损坏。
error-wrong_key = 没有密钥，无法打开本机保存的消息。
error-profile_failed = 无法写入本机的程序文件夹。
error-settings_not_saved = 设置无法保存，请检查磁盘是否已满。
error-store_newer = 本机的消息库来自更新版本的 Oschat，请更新此程序。

## 程序不匹配
error-bad_frame = 程序与服务器无法互通，请更新两者。
error-unknown_type = 服务器还不支持此操作，新版本也许支持。
error-bad_field = 服务器拒绝了这个请求。
error-setting_locked = 此设置由管理员设定。
error-no_such_setting = 没有这个设置。
error-bad_setting = 这个值不合适，请换一个。
error-link_refused = 只能打开网页链接和邮件地址。
error-ended = 程序正在关闭。
error-bad_call = 窗口请求的操作被程序拒绝。
error-unknown_method = 窗口与程序版本不一致，请重启 Oschat。
error-too_many_calls = 窗口请求过于频繁，请稍候。
error-hello_required = 程序与服务器无法互通，请更新两者。
