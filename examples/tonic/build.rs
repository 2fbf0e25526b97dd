//! Generates the service and its client. With a `.proto` file and `protoc`, `tonic-prost-build` does the same.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type("crate::Question")
            .output_type("crate::Answer")
            .codec_path("tonic_prost::ProstCodec")
    };
    let notes = Service::builder()
        .name("Notes")
        .package("example")
        .method(method("who_am_i", "WhoAmI").build())
        .method(method("watch", "Watch").server_streaming().build())
        .method(method("close", "Close").build())
        .build();
    Builder::new().compile(&[notes]);
}
