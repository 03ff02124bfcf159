// Words about notifications: loaded by the settings, and by the banner that offers them.
export const push = {
  title: 'Notifications',
  nudge: 'Be told of messages while Kez is closed?',
  nudgeText:
    'The push network of your browser learns that something came for you, and neither from whom nor what.',
  nudgeInstall: 'To be told of messages, install Kez first:',
  turnOn: 'Turn on',
  notNow: 'No, thanks',
  dismiss: 'Dismiss',
  steps: ['Tap Share.', 'Tap “Add to Home Screen”.', 'Open Kez from there, and allow notifications.'],
  toggle: 'Tell me of messages while Kez is closed',
  toggleHint: 'In this browser, for this account.',
  none: 'This browser cannot tell you of messages while Kez is closed.',
  denied:
    'This browser does not let Kez notify you. To allow it, open the permissions beside the address (or, for an installed app, in the settings of the system) and choose “Allow” for notifications.',
  previews: 'Show who has written, and what',
  previewsHint:
    'For that, the key that opens your messages can be used in this browser while Kez is closed, until you lock. Without it every notification says “New message”.',
  nudgePreviews: 'A key stays usable in this browser for that, until you lock. Otherwise: “New message”.',
  previewsNeedSession:
    'At the moment nothing is shown: a key that is gone when the page is loaded again (see “Stay unlocked”) cannot open anything while Kez is closed.',
  kept: 'Names and words are shown for a day after Kez was last open; from then on it is “New message”.',
  test: 'Send a test',
  testing: 'The server has handed it to the push network. It should be here in a moment.',
  refused: (status: number) => `The push network did not take it (${status}).`,
  unanswered: 'The server could not reach the push network.',
} as const;
