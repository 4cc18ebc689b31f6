import { defineConfig, type UserConfig } from '@hey-api/openapi-ts'

/** How the client is generated; the test of the committed files generates it likewise. */
export const generation = {
  input: './openapi.json',
  output: { path: 'src/generated', module: { extension: '.ts' }, clean: true },
  plugins: [
    { name: '@hey-api/client-fetch', throwOnError: true },
    '@hey-api/typescript',
    {
      name: '@hey-api/sdk',
      responseStyle: 'data',
      operations: { strategy: 'single', containerName: 'Operations', methods: 'instance' },
    },
  ],
} satisfies UserConfig

export default defineConfig(generation)
