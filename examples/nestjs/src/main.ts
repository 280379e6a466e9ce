/** A page that counts visits, and an account to sign in to. `npx tsc -p examples/nestjs && node examples/nestjs/dist/main.js` */
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
// Ctrl-C and SIGTERM close the store, too.
app.enableShutdownHooks();
await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
console.log(`listening on ${await app.getUrl()}`);
