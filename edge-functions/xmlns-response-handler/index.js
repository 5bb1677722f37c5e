// The entries of the function URL (`handler`) and of Lambda@Edge at origin-response (`originResponse`).
module.exports = require("./lambda.js")("xmlns-response-handler", "ResponseHandler");
