export { type Cache, CacheUnavailable } from './cache.ts';
export { MemoryCache, type MemoryCacheOptions } from './memory.ts';
export { RedisCache, type RedisCacheOptions } from './redis.ts';
