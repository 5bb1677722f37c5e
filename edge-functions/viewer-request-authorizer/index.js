// The entry of Lambda@Edge at viewer-request.
exports.handler = require("./lambda.js")("viewer-request-authorizer", "Authorizer").handler;
