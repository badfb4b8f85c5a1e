import { testClient } from './client.js';
import { testMinutes } from './minutes.js';
import { testQueries } from './queries.js';
import { testSessions } from './sessions.js';

testClient('chromium');
testSessions('chromium');
testMinutes('chromium');
testQueries('chromium');
