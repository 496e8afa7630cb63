export {
  startLive,
  startServer,
  type LiveNetwork,
  type LiveOptions,
  type RunningServer,
  type ServerOptions,
} from './server.js';
