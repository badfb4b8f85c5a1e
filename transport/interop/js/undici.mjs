// The WebSocket of undici, which is also built into Node.
import { subscribe } from 'node:diagnostics_channel';
import { WebSocket, ping } from 'undici';
import { commands, print, target } from './lines.mjs';

const headers = target.origin ? { origin: target.origin } : {};
const ws = new WebSocket(target.url, { protocols: target.protocols, headers });
ws.onopen = () => print('open', { protocol: ws.protocol });
ws.onmessage = ({ data }) => print(typeof data === 'string' ? 'text' : 'binary', { text: String(data) });
ws.onerror = ({ message }) => print('error', { text: message });
ws.onclose = ({ code, reason }) => {
  print('closed', { code, text: reason });
  process.stdin.destroy();
};
subscribe('undici:websocket:pong', () => print('pong'));

commands({
  send: (parts) => ws.send(parts.join('')), // undici sends each message in one frame
  ping: () => ping(ws, Buffer.from('p')),
  close: (code) => ws.close(code),
});
