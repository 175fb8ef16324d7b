export { SiteNotBuilt, readSite } from './site.ts';
export type { SiteFile } from './site.ts';
