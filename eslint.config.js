import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * Who may import whom. Arrows go one way (docs/architecture.md); a folder not named in a list
 * may not be imported from there.
 */
const layers = {
  protocol: [],
  partitioner: ['protocol', 'worker'],
  worker: ['protocol'],
  coordinator: ['protocol'],
  'local-ic': [],
  client: ['protocol'],
  conformance: ['protocol', 'partitioner', 'worker'],
  bench: ['protocol', 'partitioner', 'client', 'coordinator', 'worker', 'local-ic'],
  cli: ['protocol', 'partitioner', 'client', 'coordinator', 'worker', 'local-ic', 'bench'],
};
const packages = Object.keys(layers);

export default tseslint.config(
  {
    ignores: [
      '.canopy/**',
      '**/node_modules/**',
      '**/dist/**',
      '**/build/**',
      '**/.azle/**',
      'worker/assembly/**',
    ],
  },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          defaultProject: 'tsconfig.base.json',
          allowDefaultProject: ['*.js', '*.config.ts', 'scripts/*.mjs', 'worker/scripts/*.mjs'],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Indexing arrays in tight numeric code is checked by the tests' bounds, not by branches.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: true },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  ...Object.entries(layers).map(([layer, allowed]) => ({
    files: [`${layer}/src/**/*.ts`],
    // Tests may run a part on the embedded IC.
    ignores: ['**/*.test.ts', '**/src/testing/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: packages
            .filter((name) => name !== layer && !allowed.includes(name))
            .map((name) => ({
              group: [
                `@canopy/${name}`,
                `@canopy/${name}/*`,
                ...(name === 'cli' ? ['canopy'] : []),
              ],
              message: `${layer} may not import ${name}: see docs/architecture.md.`,
            })),
        },
      ],
    },
  })),
);
