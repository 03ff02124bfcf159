// The worker for what takes long. It keeps nothing between calls, and is ended when the client is locked.
import { answerCalls } from './calls.ts';
import { tasks } from './tasks.ts';

answerCalls(self, tasks);
