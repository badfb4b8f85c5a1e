import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.js'],
    environment: 'node', // a test of react.js begins with: // @vitest-environment jsdom
    coverage: {
      provider: 'v8',
      reporter: ['text'],
      include: ['*.js'],
      exclude: ['test/**', '*.config.js', 'types.js'], // types.js has only comments
      thresholds: { lines: 90, branches: 90, functions: 90, statements: 90 },
    },
  },
});
