// What a page sends and receives over its WebSockets, seen from outside.

/** To be called before the page connects. */
export function watchSockets(page) {
  const sockets = [];
  page.on('websocket', (ws) => {
    const socket = { url: ws.url(), sent: [], received: [], closed: false, openedAt: Date.now() };
    sockets.push(socket);
    ws.on('framesent', ({ payload }) => socket.sent.push(JSON.parse(String(payload))));
    ws.on('framereceived', ({ payload }) => socket.received.push(JSON.parse(String(payload))));
    ws.on('close', () => {
      socket.closed = true;
    });
  });
  return sockets;
}

export const ofType = (messages, type) => messages.filter((m) => m.type === type);
