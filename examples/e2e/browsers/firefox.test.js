import { testClient } from './client.js';
import { testMinutes } from './minutes.js';
import { testSessions } from './sessions.js';

testClient('firefox');
testSessions('firefox');
testMinutes('firefox');
