//! Reflection tells of every service of the contract, of health and of itself, in the version of today and in the older
//! one that many tools still ask in.

use partnership_registry::descriptors;

use crate::harness::Server;

/// Asks for every service in one version of reflection, whose messages are not those of the other.
macro_rules! reflection_lists_every_service {
    ($version:ident) => {{
        use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
        use tonic_reflection::pb::$version::{ServerReflectionRequest, ServerReflectionResponse};
        let server = Server::start().await;
        let mut reflection = ServerReflectionClient::new(server.channel().await);
        let mut ask = async |question: MessageRequest| -> MessageResponse {
            let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
            let mut answers =
                reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
            let answer: ServerReflectionResponse = answers.message().await.unwrap().unwrap();
            answer.message_response.unwrap()
        };
        let MessageResponse::ListServicesResponse(listed) = ask(MessageRequest::ListServices(String::new())).await
        else {
            panic!("not a list of services")
        };
        let listed: Vec<String> = listed.service.into_iter().map(|service| service.name).collect();
        let contract = descriptors().services().filter(|service| service.package_name() == "partnership.registry.v1");
        let mut expected: Vec<String> = contract.map(|service| service.full_name().to_owned()).collect();
        for service in ["health.v1.Health", "reflection.v1.ServerReflection", "reflection.v1alpha.ServerReflection"] {
            expected.push(format!("grpc.{service}"));
        }
        for service in expected {
            assert!(listed.contains(&service), "{service}: {listed:?}");
            let question = MessageRequest::FileContainingSymbol(service.clone());
            let MessageResponse::FileDescriptorResponse(files) = ask(question).await else { panic!("not a file") };
            assert!(!files.file_descriptor_proto.is_empty(), "{service}");
        }
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_every_service() {
    reflection_lists_every_service!(v1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_of_the_older_version_lists_every_service_too() {
    reflection_lists_every_service!(v1alpha);
}
