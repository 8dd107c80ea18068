/** The tests that want a browser: `npm run test:browser`. */
export default {
  extensions: ['ts'],
  files: ['test/browser/*.browser.ts'],
  timeout: '3m',
  workerThreads: false,
  concurrency: 1,
}
