// What was said on the page since the `from`th message. What stood there at the first call is history.
const [page, from] = arguments;
const read = node => {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeName === 'IMG') return node.alt;
  if (node.nodeName === 'BR') return '\n';
  return [...node.childNodes].map(read).join('');
};
const part = (message, selector) => {
  const node = selector ? message.querySelector(selector) : message;
  return node ? read(node).trim() : '';
};
const messages = document.querySelectorAll(page.message);
const kept = window.__overheard ??= { seen: new WeakSet(messages), said: [] };
for (const message of messages) {
  const text = part(message, page.text);
  // A page may put a message up before it fills it.
  if (kept.seen.has(message) || text === '') continue;
  kept.seen.add(message);
  if (page.own && message.matches(page.own)) continue;
  kept.said.push([page.from ? part(message, page.from) : '', text]);
}
return [kept.said.length, kept.said.slice(from)];
