export {
  startLive,
  startServer,
  type LiveOptions,
  type RunningServer,
  type ServerOptions,
} from './server.js';
