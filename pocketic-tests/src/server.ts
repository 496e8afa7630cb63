import type { TestProject } from 'vitest/node';
import { serverBinary } from './server-binary.js';
import { startServer } from './start-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    icUrl: string;
  }
}

/** Starts one server for all test files, and tells them its URL. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { path, what } = serverBinary();
  console.log(`End-to-end tests run on: ${what} (${path})`);
  const server = await startServer({ showCanisterLogs: true });
  project.provide('icUrl', server.getUrl());
  return () => server.stop();
}
