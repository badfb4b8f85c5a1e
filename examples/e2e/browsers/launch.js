// The browsers of the system, by WebDriver BiDi: Debian's chromium and firefox-esr, or what
// CHROMIUM and FIREFOX name.

import puppeteer from 'puppeteer-core';
import { chromium, chromiumArgs } from '../chromium.js';

// Puppeteer turns these delays off. A hidden page's timers run once a minute after a grace period,
// which is 5 minutes by default.
const throttledChromium = {
  ignoreDefaultArgs: [
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
  ],
  args: [...chromiumArgs, '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1'],
};

const browsers = {
  chromium: { browser: 'chrome', executablePath: chromium, args: chromiumArgs },
  firefox: {
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    extraPrefsFirefox: {
      // No connection of the browser's own leaves the machine.
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'browser.safebrowsing.downloads.remote.enabled': false,
    },
  },
};

/** Launches a browser. With throttled, it delays the timers of hidden pages. */
export function launch(name, { throttled = false } = {}) {
  return puppeteer.launch({
    headless: true,
    protocol: 'webDriverBiDi',
    protocolTimeout: 900_000,
    ...browsers[name],
    ...(throttled && name === 'chromium' && throttledChromium),
  });
}
