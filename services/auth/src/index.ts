export { openSigningKey } from './adapters/open-signing-key.ts';
export type { KeySource } from './adapters/open-signing-key.ts';
export type { Policy } from './authorize.ts';
export { keySourceOf } from './config.ts';
export type { HttpRequest, HttpResponse } from './http.ts';
export { createAuth } from './service.ts';
export type { AuthConfig, AuthDeps, AuthService } from './service.ts';
export { SigningKeyError } from './signing-key.ts';
export type { SigningKey } from './signing-key.ts';
