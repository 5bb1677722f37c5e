//! For which credential scopes OSS V4 and S3 V4 signatures are accepted.

use super::ConfigError;

/// Refuses names that no client can sign for, and a list without a product.
pub(super) fn check(
    regions: &[String],
    products: &[String],
    aws_regions: &[String],
) -> Result<(), ConfigError> {
    let are_names = |names: &[String]| {
        names.iter().all(|name| {
            (1..=64).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        })
    };
    if !are_names(regions) || regions.iter().any(|name| name.starts_with("oss-")) {
        return Err(ConfigError::of(|| {
            "`oss_v4_regions` has to list regions as clients sign them, such as cn-hangzhou, without `oss-`"
                .to_owned()
        }));
    }
    if products.is_empty() || !are_names(products) {
        return Err(ConfigError::of(|| {
            "`oss_v4_products` has to list at least one product, such as oss".to_owned()
        }));
    }
    if !are_names(aws_regions) {
        return Err(ConfigError::of(|| {
            "`s3_v4_regions` has to list regions as clients sign them, such as us-east-1".to_owned()
        }));
    }
    Ok(())
}
