export { testModels, type Feeds, type TestModel } from './models.js';
export { serverBinary } from './server-binary.js';
export { startServer } from './start-server.js';
