// What a reviewer should not have to say: types, the one-way import rule, and nothing that the policies would block.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Folders from which files of `folder` must not import: imports go pages → state → nats, crypto, storage. */
function mayNotImport(folder, forbidden) {
  const patterns = forbidden.map((name) => ({
    regex: `^(\\.\\./)+${name}/`,
    message: `${folder}/ does not import from ${name}/: imports go one way.`,
  }));
  return {
    files: [`src/${folder}/**/*`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

export default ts.config(
  {
    ignores: [
      'dist/',
      'interop/dist/',
      'bench/dist/',
      'src/nats/contract.ts',
      'test-results/',
      'playwright-report/',
    ],
  },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', 400],
      'no-undef': 'off', // TypeScript knows better.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { extraFileExtensions: ['.svelte'], parser: ts.parser, svelteConfig } },
    rules: {
      'max-lines': ['error', 200],
      'svelte/no-at-html-tags': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'SvelteAttribute[key.name="style"]:not(:has(SvelteMustacheTag))',
          message: 'A static style attribute violates the policy; `style:` directives and classes do not.',
        },
      ],
      'svelte/button-has-type': 'error',
      'svelte/no-target-blank': 'error',
    },
  },
  {
    files: ['**/*.svelte.ts'],
    rules: {
      'max-lines': ['error', 400],
      // Most maps of a state class are not shown: those that are say so by being a SvelteMap.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  mayNotImport('crypto', ['nats', 'storage', 'state', 'pages', 'components', 'workers']),
  mayNotImport('nats', ['storage', 'state', 'pages', 'components']),
  mayNotImport('storage', ['nats', 'state', 'pages', 'components']),
  mayNotImport('state', ['pages', 'components']),
  mayNotImport('components', ['nats', 'storage', 'state', 'pages']),
);
