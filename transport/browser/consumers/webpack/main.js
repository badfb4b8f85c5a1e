import { Client } from 'planrooms';

const client = new Client({ getToken: () => null });
client.join('demo', { onEvent: (event) => document.body.append(event.type) });
