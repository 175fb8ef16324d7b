import { defineConfig } from 'vite';

// The page at `/`: one bundle, hashed names, nothing from elsewhere.
export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    target: 'es2022',
    // Fonts and the icon stay files of their own: they are cached apart and the policy in index.html allows no data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/collab': { target: 'ws://localhost:8080', ws: true } } },
});
