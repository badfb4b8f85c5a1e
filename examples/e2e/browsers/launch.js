// The browsers of the system, by WebDriver BiDi: Debian's chromium and firefox-esr, or what
// CHROMIUM and FIREFOX name.

import puppeteer from 'puppeteer-core';

const chromiumArgs = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

const browsers = {
  chromium: { browser: 'chrome', executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: chromiumArgs },
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

export function launch(name) {
  return puppeteer.launch({ headless: true, protocol: 'webDriverBiDi', ...browsers[name] });
}
