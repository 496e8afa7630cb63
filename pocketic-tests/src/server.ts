import { PocketIcServer } from '@dfinity/pic';
import type { TestProject } from 'vitest/node';
import { serverBinary } from './server-binary.js';

declare module 'vitest' {
  interface ProvidedContext {
    icUrl: string;
  }
}

/** Seconds without a request after which a server ends; making a model can take a minute on a busy machine. */
export const serverTtl = 1800;

/** Starts one server for all test files, and tells them its URL. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { path, what } = serverBinary();
  console.log(`End-to-end tests run on: ${what} (${path})`);
  const server = await PocketIcServer.start({
    binPath: path,
    showCanisterLogs: true,
    ttl: serverTtl,
  });
  project.provide('icUrl', server.getUrl());
  return () => server.stop();
}
