// The client `ws`.
import WebSocket from 'ws';
import { commands, print, target } from './lines.mjs';

const ws = new WebSocket(target.url, target.protocols, { origin: target.origin });
ws.on('open', () => print('open', { protocol: ws.protocol }));
ws.on('message', (data, binary) => print(binary ? 'binary' : 'text', { text: data.toString() }));
ws.on('pong', () => print('pong'));
ws.on('error', (error) => print('error', { text: String(error) }));
ws.on('close', (code, reason) => {
  print('closed', { code, text: reason.toString() });
  process.stdin.destroy();
});

commands({
  send: (parts) => parts.forEach((part, i) => ws.send(part, { fin: i === parts.length - 1 })),
  ping: () => ws.ping('p'),
  close: (code) => ws.close(code),
});
