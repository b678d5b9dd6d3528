### 主窗口、登录页以及各窗口共用的文字。

## 登录
login-title = Oschat
login-text = 登录到公司的服务器
login-server = 服务器
login-user = 用户名
login-password = 密码
login-show-password = 显示密码
login-remember = 在这台电脑上保持登录
login-remember-impossible = 这台电脑没有可用的密钥库，登录只保持到退出 Oschat 为止。
login-server-locked = 由管理员设定。
login-submit = 登录
login-busy = 正在登录…

## 登录时需要知道的事
notice-key-lost = 本机消息库的密钥已丢失，历史消息已重新从服务器取回。
notice-no-keyring = 这台电脑没有可用的密钥库。消息和登录只保留到退出 Oschat 为止，之后会从服务器取回。
notice-store-damaged = 本机保存的消息无法读取，已重新从服务器取回。
notice-store-newer = 本机保存的消息来自更新版本的 Oschat。当前版本暂不使用它们，请更新程序。
notice-store-failed = 目前无法在本机保存消息，消息仍保存在服务器上。
notice-disk-full = 这台电脑的磁盘已满，无法在本机保存消息。消息仍在服务器上，请腾出空间。
notice-profile-failed = 无法写入本机的程序文件夹，你的选择无法保存。
notice-other-server = 该地址现在是另一台服务器。原服务器的消息仍保存在本机，已另行存放。

## 各窗口共用
app-version = Oschat { $version }
app-lost = 程序没有响应
app-logged-out = 你已退出登录
app-logged-out-text = 请在主窗口重新登录，再继续这个会话。
action-retry = 重试
action-discard = 删除
action-dismiss = 知道了
action-close = 关闭
action-back = 返回列表

## 时间
time-today = 今天
time-yesterday = 昨天

## 状态
presence-online = 在线
presence-away = 离开
presence-busy = 忙碌
presence-offline = 离线
presence-invisible = 隐身
presence-invisible-hint = 别人看到你是离线
person-disabled = 账号已停用

## 自己
me-button = 更改状态
me-menu = 我的状态
me-state = 状态
me-status-placeholder = 写一句状态签名
me-log-out = 退出登录
me-log-out-sure = 确定退出登录？再点一次

## 主窗口
main-roster = 联系人
tab-recents = 最近
tab-organisation = 组织架构
search-placeholder = 搜索同事和部门
search-clear = 清除搜索
search-results = 搜索结果
search-found = { $count } 个结果
search-nothing = 没有找到
search-nothing-text = 试试姓名、部门或职位中的几个字。
dock-empty = 还没有打开会话
dock-empty-text = 在左侧选择一位同事开始聊天。
list-failed = 加载失败

## 最近会话
recents-empty = 还没有会话
recents-empty-text = 找一位同事打个招呼吧。
recents-empty-action = 打开组织架构
recents-unread = { $count } 条未读消息
recents-failed = 有消息发送失败
recents-draft = [草稿]
recents-mine = 我：
recents-wants-to-talk = 想和你聊聊

## 组织架构
tree-empty = 通讯录是空的
tree-empty-text = 管理员还没有添加成员。
tree-counts = { $online }/{ $people } 人在线
people-self = 我

## 名片
card-title = 查看名片
card-label = { $name }的名片
card-position = 职位
card-department = 部门
card-email = 邮箱
card-phone = 电话
card-login = 用户名
card-talk = 发消息

## 连接
link-connecting = 正在连接…
link-offline = 连接已断开
link-retry-in = { $seconds } 秒后重试
link-reconnect = 立即重试
