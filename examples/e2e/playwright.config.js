import { defineConfig } from '@playwright/test';
import { chromium, chromiumArgs } from './chromium.js';

// The browser is the system's: Debian's chromium package, or what CHROMIUM names.
export default defineConfig({
  testDir: 'tests',
  globalSetup: './build.js',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  retries: 0, // a test that fails now and then is a bug to be understood
  timeout: 120_000, // of a test, on a machine that does much else; most take some seconds
  expect: { timeout: 10_000 },
  reporter: process.env.CI ? 'line' : 'list',
  use: {
    browserName: 'chromium',
    locale: 'en-GB',
    launchOptions: {
      executablePath: chromium,
      args: chromiumArgs,
    },
  },
});
