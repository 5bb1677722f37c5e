// The entry of Lambda@Edge at origin-request.
exports.handler = require("./lambda.js")("multipart-initiation-router", "Router").handler;
