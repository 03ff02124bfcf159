// The honest page: what this server could do to people who use its page.
export const trust = {
  title: 'What this server could do to you',
  lead: 'Kez is made so that you need not trust a server with your words. A page in a browser still asks for some trust, and you should know how much.',
  parts: [
    {
      title: 'It could send you another page',
      text: [
        'This client is code that the server sends. Today’s code keeps your key on this device. A server that turned bad, or was broken into, could send code that does not, to everybody or to you alone, and your browser would run it.',
        'An installed app is no protection, for it takes its code from the same server. What helps: the kez command does not come from this server at all, and whoever compares the files that were sent with the published ones finds a change.',
      ],
    },
    {
      title: 'It can see some of what you do',
      text: [
        'Who is registered; when and from which address you are connected; which mailbox a sealed message goes to, its padded size and its time; the accounts you claim, for they are public; of your profile the name, the words, and the scrambled preview of the picture.',
        'If you turn notifications on: at which push network, and so by whose browser, you are woken. That network learns when something comes for you, and nothing else.',
        'It cannot see what you write. What it stores does not say who wrote it; but while you are connected it can note which connection handed a message in, and so tell who writes to whom.',
      ],
    },
    {
      title: 'It could withhold or delay',
      text: [
        'A server can refuse to serve you, keep messages back or delete them before you have them. It cannot change them, forge them, or pretend that they were read: receipts are signed.',
      ],
    },
    {
      title: 'It could show you somebody else’s key',
      text: [
        'When you write to alice, the server says which key that is. The first time you have only its word. Compare the key with your friend, or look at the accounts that the key has proven. From then on a conversation belongs to the key: another one would be another conversation.',
      ],
    },
    {
      title: 'What nobody can undo',
      text: [
        'Messages are not forward secret yet: whoever gets your key later, and has kept what was sent to you, can read it. Whoever has your recovery phrase is you. If you lose both the phrase and the passphrase, nobody can help you.',
      ],
    },
  ],
} as const;
