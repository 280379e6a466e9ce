/** The page's side of the chat. */
const lines = document.querySelector('#lines');
const form = document.querySelector('#say');

function show(text) {
  const line = document.createElement('li');
  line.textContent = text;
  lines.append(line);
}

function connect() {
  const socket = new WebSocket(new URL('/chat', location.href.replace(/^http/, 'ws')));
  socket.onmessage = ({ data }) => {
    const { from, text, count } = JSON.parse(data);
    show(count ? `${from} (${count}): ${text}` : text);
  };
  socket.onclose = ({ code }) => {
    form.onsubmit = null;
    // 4401: signed out, here or in another window. Wherever the visitor stands now, the page that belongs there is at /.
    // It comes before the answer that changes the cookie, so give that a moment.
    if (code === 4401 || code === 4403) setTimeout(() => location.assign('/'), 1000);
    else setTimeout(connect, 1000 + Math.random() * 4000);
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    if (socket.readyState === WebSocket.OPEN) socket.send(form.elements.text.value);
    form.reset();
  };
}

connect();
