// A made-up company for patterns.html: people, departments and a talk. The same every time, for pictures and tests.

const FAMILY = ['王', '李', '张', '刘', '陈', '杨', '赵', '黄', '周', '吴', '徐', '孙'];
const GIVEN = ['伟', '芳', '秀英', '敏', '静', '丽华', '强', '磊', '洋', '艳', '晓明', '思远', '雨桐', '子涵', '浩然'];
const ENGLISH = [
  'Anna Lindqvist',
  'Tom Baker',
  'Maria Rossi',
  'James O’Connor',
  'Priya Nair',
  'Lucas Meyer',
  'Sara Haddad',
];
const DEPARTMENTS = [
  ['研发中心', ['平台组', '客户端组', '测试组']],
  ['产品与设计', ['产品组', '设计组']],
  ['销售部', ['华东区', '华南区', 'International']],
  ['人力资源', []],
  ['Finance', []],
];
const TITLES = ['工程师', '高级工程师', '产品经理', '设计师', '销售经理', 'Account Manager', 'Analyst', '招聘专员'];
const STATUS = ['开会中', '在客户现场', 'Back at 3 pm', '专注写代码，请留言'];

/** The same numbers every time: pictures and tests compare. (A linear congruential generator.) */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function person(index, department, random) {
  const english = random(4) === 0;
  const name = english ? ENGLISH[random(ENGLISH.length)] : FAMILY[random(FAMILY.length)] + GIVEN[random(GIVEN.length)];
  const presence = ['online', 'online', 'online', 'away', 'busy', 'offline', 'offline'][random(7)];
  return {
    id: `u${index}`,
    name,
    login: `user${index}`,
    title: TITLES[random(TITLES.length)],
    department,
    email: `user${index}@example.com`,
    phone: `+86 21 5555 ${1000 + (index % 9000)}`,
    disabled: false,
    presence,
    status_text: presence !== 'offline' && random(6) === 0 ? STATUS[random(STATUS.length)] : '',
  };
}

/** A company with about this many people, a tree of departments three levels deep. */
export function company(people) {
  const random = numbers(7);
  const root = { id: 'd0', name: '云杉科技 Spruce', parent: null, children: [], people: [] };
  const leaves = [];
  let number = 0;
  const many = Math.max(1, Math.round(people / 600));
  for (let round = 0; round < many; round += 1) {
    for (const [name, groups] of DEPARTMENTS) {
      const suffix = round ? ` ${round + 1}` : '';
      const department = node(`${name}${suffix}`, root);
      for (const group of groups) leaves.push(node(group, department));
      if (groups.length === 0) leaves.push(department);
    }
  }
  function node(name, parent) {
    number += 1;
    const made = { id: `d${number}`, name, parent, children: [], people: [] };
    parent.children.push(made);
    return made;
  }
  const all = [];
  for (let index = 1; index <= people; index += 1) {
    const leaf = leaves[(index - 1) % leaves.length];
    const path = leaf.parent === root ? leaf.name : `${leaf.parent.name} / ${leaf.name}`;
    const one = person(index, path, random);
    leaf.people.push(one);
    all.push(one);
  }
  return { root, all };
}

export function counts(department) {
  let online = department.people.filter((one) => one.presence !== 'offline').length;
  let people = department.people.length;
  for (const child of department.children) {
    const below = counts(child);
    online += below.online;
    people += below.people;
  }
  return { online, people };
}

export const DAY = 86_400_000;

const TALK = [
  [0, '早上好！昨天的版本已经发到测试环境了。'],
  [0, '有空的时候帮忙看一下？https://wiki.example.com/release/2026-11?tab=notes'],
  [1, '好的，我上午看。'],
  [
    1,
    'Could you also send me the list of what changed since the last one? I would like to forward it to the customer.',
  ],
  [0, 'Sure, here it is:\n– faster start\n– a new search\n– fewer clicks to find a colleague 😀'],
  [1, '太好了，谢谢！'],
  [0, '下午两点的评审会照常，会议室改到 3 楼。'],
  [1, '收到 👍'],
];

/** `many` messages between `me` and `peer`, the last ones a short while ago. */
export function talk(many, peer, now) {
  const messages = [];
  for (let index = 0; index < many; index += 1) {
    const left = many - index;
    const [who, text] = TALK[index % TALK.length];
    messages.push({
      key: `m-${String(index + 1).padStart(8, '0')}`,
      seq: index + 1,
      at: now - Math.floor(left / TALK.length) * (DAY / 3) - (left % TALK.length) * 120_000,
      sender: who ? 'me' : peer.id,
      mine: who === 1,
      text: many > 50 ? `${index + 1}. ${text}` : text,
      state: who ? 'read' : 'received',
      error: null,
    });
  }
  return messages;
}
