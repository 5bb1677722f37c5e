// Signs with @aws-sdk/cloudfront-signer: a JSON object of its options on stdin, the signed URL or the cookies on stdout.

import { text } from 'node:stream/consumers';

import { getSignedCookies, getSignedUrl } from '@aws-sdk/cloudfront-signer';

const { cookies, ...options } = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(cookies ? getSignedCookies(options) : getSignedUrl(options)));
