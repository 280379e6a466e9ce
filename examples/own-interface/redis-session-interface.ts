/** Records in Redis, which forgets each when its time is over. */
import type { SessionInterfaceOptions } from 'flacon';
import type { Key } from 'flacon/codecs/signer';
import { SignedIdSessionInterface } from './signed-id-session-interface.ts';

/** What is needed of a client; node-redis has it. */
export interface RedisClient {
  get(key: string): Promise<string | null>;
  setEx(key: string, seconds: number, value: string): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

export class RedisSessionInterface extends SignedIdSessionInterface {
  readonly #redis: RedisClient;
  readonly #prefix: string;

  constructor(
    redis: RedisClient,
    secretKey: Key,
    { prefix = 'session:', ...options }: SessionInterfaceOptions & { prefix?: string } = {},
  ) {
    super(secretKey, options);
    this.#redis = redis;
    this.#prefix = prefix;
  }

  protected override async read(sid: string): Promise<string | undefined> {
    return (await this.#redis.get(this.#prefix + sid)) ?? undefined;
  }

  protected override async write(sid: string, json: string): Promise<void> {
    // PERMANENT_SESSION_LIFETIME, in whole seconds and at least one: SETEX takes nothing else.
    await this.#redis.setEx(this.#prefix + sid, Math.max(1, Math.floor(this.lifetime)), json);
  }

  protected override async remove(sid: string): Promise<void> {
    await this.#redis.del(this.#prefix + sid);
  }
}
