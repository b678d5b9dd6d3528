### 会话：消息与输入框。

conversation-typing = 正在输入…
conversation-failed = 无法打开这个会话
timeline-label = 与{ $name }的消息
timeline-new = 新消息
timeline-loading = 正在加载更早的消息…
timeline-begin = 会话从这里开始。
timeline-empty = 还没有消息，打个招呼吧！
timeline-unread = 以下是新消息
timeline-to-end = 回到最新消息
message-from-me = 我
message-waiting = 等待发送
message-sent = 已发送
message-read = 已读
message-failed = 发送失败
message-unsupported = 这种消息需要更新版本的 Oschat 才能显示。

composer-placeholder = 输入消息
composer-label = 发消息给{ $name }
composer-send = 发送
composer-send-hint = 发送（Enter），换行请按 Shift+Enter
composer-disabled = 该账号已停用，无法接收消息。

emoji-title = 表情
emoji-search = 搜索表情
emoji-groups = 表情分类
emoji-nothing = 没有找到表情
emoji-failed = 表情加载失败。
emoji-group-smileys = 笑脸
emoji-group-people = 人物与手势
emoji-group-nature = 动物与自然
emoji-group-food = 食物与饮料
emoji-group-travel = 旅行与地点
emoji-group-activities = 活动
emoji-group-objects = 物品
emoji-group-symbols = 符号
emoji-group-flags = 旗帜
