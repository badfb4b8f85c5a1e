import { testClient } from './client.js';
import { testMinutes } from './minutes.js';
import { testSessions } from './sessions.js';

testClient('chromium');
testSessions('chromium');
testMinutes('chromium');
