export { testModels, type Feeds, type TestModel } from './models.js';
