// All words that people see, in one place and ready for translation.
export const texts = {
  wordmark: 'kez',
  tagline: 'A messenger in which you are a key that only you hold.',
} as const;
